"""Every command with its one line of help, so that `orgsync --help` imports none of them."""

from __future__ import annotations

from collections.abc import Mapping

#: Name -> summary, or (summary, commands) of a group. A command `a b` is `command` in the module `commands.a_b`.
Entries = Mapping[str, "str | tuple[str, Mapping[str, str]]"]

COMMANDS: Entries = {
    "init": "Write a commented starter set of manifests.",
    "validate": "Check the manifests without touching an org.",
    "lint": "Give advice on style and risk in the manifests.",
    "fmt": "Bring manifests to their canonical form; comments stay.",
    "schema": "Print the JSON Schema of manifests, for editors.",
    "export": "Write manifests of orgs that are connected already.",
    "plan": "Show what apply would do; change nothing.",
    "review": "Show what a branch changes in the manifests, and its plan.",
    "show": "Show a saved plan, and whether it is stale.",
    "apply": "Bring the orgs to what the manifests say.",
    "drift": "Show what was changed by hand in the orgs, apart from what Git changed.",
    "bulk-sync": "Copy the records that are already there, in one direction.",
    "drain": "Send queued changes to the other org.",
    "forward": "Send single records by hand, whatever their age.",
    "sharing": "Show the connections that a record is in.",
    "verify": "Prove that both orgs agree, or list what differs.",
    "diagnose": "Tell why a record or user is missing or stale in the other org.",
    "reconcile": "Bring connections back in step without a person.",
    "status": "Show connections: state, queue, log, publications.",
    "queue": (
        "The record queue.",
        {"list": "List what waits to be sent.", "retry": "Try refused records again with the next drain."},
    ),
    "log": (
        "Look at the sync log.",
        {
            "list": "List the newest entries of both orgs' logs.",
            "show": "Show one entry in full.",
            "report": "Report on the sync log: by period, object, field type, related records.",
        },
    ),
    "history": "List what happened to a connection, newest first.",
    "suspend": "Stop sending over a connection; changes go on queueing.",
    "resume": "Let a suspended connection send again.",
    "resync": "Sync on after an org was restored from a backup.",
    "deactivate": "End a connection: its records are disconnected.",
    "metadata": ("Metadata on demand.", {"sync": "Bring the secondary's metadata in step now."}),
    "users": (
        "Users on demand.",
        {
            "sync": "Copy users again, both ways by their switches.",
            "reset-passwords": "Send users of the secondary one-time links to set a password.",
        },
    ),
    "org": (
        "Make, fill and look at embedded orgs.",
        {
            "create": "Make an embedded org.",
            "enable": "Switch features of an org on.",
            "import": "Deploy an SFDX project into an org.",
            "load": "Load records from sObject trees, their plans or CSV.",
            "describe": "Show an org's objects, or one object's fields.",
            "rename": "Rename a custom field or object of an org.",
            "check": "Look for blank required fields, invalid lookups, duplicates.",
        },
    ),
    "lock": (
        "The lock that an apply holds.",
        {"show": "Show who holds a lock.", "release": "Release a lock that a dead run left behind."},
    ),
    "failover": (
        "Send users to the secondary and back, and see what that would mean.",
        {
            "status": "Show where users are sent, and how far each org is behind.",
            "drill": "Tell what would be lost if the primary went away now.",
            "announce": "Tell users of a window ahead of time, by email.",
            "start": "Send users to the secondary, with banner, email and SSO hook.",
            "stop": "Send users back to the primary, once their changes are there.",
        },
    ),
    "serve-redirect": "Serve an address that redirects users to the org that is up or chosen.",
    "completion": "Print the script that completes orgsync in a shell.",
    "demo": "Tell the whole story on two embedded orgs in a new folder.",
}
