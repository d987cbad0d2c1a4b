"""Which executor carries out which kind of action: the whole list."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from orgsync_reconcile.apply import (
    run_connection,
    run_metadata,
    run_mirrors,
    run_protection,
    run_publications,
    run_records,
)
from orgsync_reconcile.apply.executor import Executor, each
from orgsync_reconcile.model.plan import Op

EXECUTORS: Mapping[Op, Executor] = MappingProxyType(
    {
        Op.ENABLE_FEATURE: each(run_connection.enable_feature),
        Op.PROTECT: each(run_protection.protect),
        Op.UNPROTECT: each(run_protection.protect),
        Op.CREATE_CONTACT: each(run_connection.create_contact),
        Op.INVITE: each(run_connection.invite),
        Op.ACCEPT: each(run_connection.accept),
        Op.ADVANCE_CONNECTION: each(run_connection.advance),
        Op.UPDATE_CONNECTION: each(run_connection.update),
        Op.SUSPEND: each(run_connection.suspend),
        Op.RESUME: each(run_connection.resume),
        Op.DEACTIVATE: each(run_connection.deactivate),
        Op.DEPLOY_COMPONENT: Executor(run=run_metadata.deploy, most=run_metadata.MOST),
        Op.DELETE_COMPONENT: each(run_metadata.delete),
        Op.CREATE_MIRROR: each(run_mirrors.create),
        Op.MIRROR_LAYOUT: each(run_mirrors.layout),
        Op.SET_DISPLAY_FORMAT: each(run_mirrors.set_format),
        Op.INSTALL_MIRROR: each(run_mirrors.install),
        Op.REMOVE_MIRROR: each(run_mirrors.remove),
        Op.FILL_MIRROR: each(run_mirrors.fill),
        Op.SYNC_USER: Executor(run=run_records.copy_users, most=500),
        Op.PUBLISH_OBJECT: Executor(run=run_publications.publish_objects, most=run_publications.MOST),
        Op.SUBSCRIBE_OBJECT: Executor(run=run_publications.subscribe_objects, most=run_publications.MOST),
        Op.PUBLISH_FIELD: Executor(run=run_publications.publish_fields, most=run_publications.MOST),
        Op.SUBSCRIBE_FIELD: Executor(run=run_publications.subscribe_fields, most=run_publications.MOST),
        Op.UNPUBLISH_FIELD: Executor(run=run_publications.unpublish_fields, most=run_publications.MOST),
        Op.UNSUBSCRIBE_FIELD: Executor(run=run_publications.unsubscribe_fields, most=run_publications.MOST),
        Op.UNPUBLISH_OBJECT: Executor(run=run_publications.unpublish_objects, most=run_publications.MOST),
        Op.UNSUBSCRIBE_OBJECT: Executor(run=run_publications.unsubscribe_objects, most=run_publications.MOST),
        Op.BULK_SYNC: Executor(run=run_records.copy_records, most=500),
    }
)
