"""The one table of actions: key bindings, footer, help and command palette are all made from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from textual.binding import Binding


class View(StrEnum):
    """The tabs of the home screen."""

    NODES = "nodes"
    DATABASES = "databases"
    TUNNELS = "tunnels"


ALL = frozenset(View)


@dataclass(frozen=True, slots=True)
class Action:
    """Something the user can do: `name` is the method `action_NAME` of the home screen, keys in Textual's words.

    An action `at_once` is done before the next key is looked at, so that keys typed ahead go where they were meant to.
    """

    name: str
    keys: tuple[str, ...]
    label: str
    help: str
    views: frozenset[View] = ALL
    footer: bool = True
    at_once: bool = False

    @property
    def shown_keys(self) -> str:
        """The keys as people read them."""
        return " ".join(KEY_NAMES.get(key, key) for key in self.keys)

    def binding(self) -> Binding:
        """The binding that Textual knows it by."""
        return Binding(",".join(self.keys), self.name, self.label, show=False, priority=self.at_once)


KEY_NAMES = {
    "enter": "↵",
    "slash": "/",
    "question_mark": "?",
    "escape": "Esc",
    "ctrl+p": "^p",
    "ctrl+c": "^c",
    "ctrl+q": "^q",
    "asterisk": "*",
    "left": "←",
    "right": "→",
    "shift+up": "⇧↑",
    "shift+down": "⇧↓",
    "ctrl+a": "^a",
    "tab": "Tab",
    "shift+tab": "⇧Tab",
}

_NODES, _DATABASES, _TUNNELS = (frozenset({view}) for view in View)

_OF_CONTEXTS = "Show each profile and region with its state, and why it failed."

ACTIONS: tuple[Action, ...] = (
    Action("shell", ("enter",), "Shell", "Start a shell on the node; leaving it returns here.", _NODES),
    Action("fold", ("enter",), "Fold", "On the heading of a group: hide its nodes, or show them.", _NODES),
    Action("fold(True)", ("left",), "Fold", "Hide the nodes of the group.", _NODES, footer=False),
    Action("fold(False)", ("right",), "Unfold", "Show the nodes of the group.", _NODES, footer=False),
    Action("tunnel", ("enter", "t"), "Tunnel", "Open a tunnel to the database through its relay.", _DATABASES),
    Action(
        "use_tunnel",
        ("enter",),
        "Use",
        "Copy its address; bring up a saved one; try again what waits or failed.",
        _TUNNELS,
    ),
    Action(
        "ask",
        ("A",),
        "Ask",
        "Ask for just-in-time access; the shell starts once it is granted.",
        _NODES,
        footer=False,
    ),
    Action("forward", ("f",), "Forward", "Forward a local port to the node, or through it to a host.", _NODES),
    Action(
        "desktop",
        ("R",),
        "Desktop",
        "Show a Windows node's desktop through a tunnel; its address is copied.",
        _NODES,
    ),
    Action(
        "why",
        ("w",),
        "Why",
        "Show why you may or may not, which policy decides, and what to ask for.",
        _NODES | _DATABASES,
    ),
    Action(
        "relays",
        ("v",),
        "Relays",
        "Show every node that may be the relay, and why; go through another.",
        _DATABASES,
        footer=False,
    ),
    Action("stop", ("s", "x"), "Stop", "Stop the tunnel and free its local port.", _DATABASES | _TUNNELS),
    Action("retry", ("r",), "Retry", "Try at once, without waiting for the next try.", _TUNNELS),
    Action("sign_in", ("i",), "Sign in", "Sign in where credentials are wanted; then it goes on."),
    Action("left_over", ("o",), "Reopen", "Open again, or forget, what was open when ssm-tui was cut off."),
    Action("log", ("l",), "Log", "Show what became of the tunnel, and follow it.", _TUNNELS),
    Action(
        "connect",
        ("c",),
        "Connect",
        "Start a database client, through a tunnel opened for it if need be.",
        _DATABASES,
    ),
    Action("copy", ("y",), "Copy", "Choose what to copy: id, address, command, connection string."),
    Action(
        "filter",
        ("slash",),
        "Filter",
        "Filter the list; Esc leaves the line, Esc again clears it.",
        _NODES | _DATABASES,
        at_once=True,
    ),
    Action(
        "filters",
        ("F",),
        "Saved filters",
        "Choose a saved filter, save the present one, rename or forget one.",
        _NODES,
        footer=False,
    ),
    Action("details", ("d",), "Details", "Show or hide the details of the highlighted row."),
    Action(
        "refresh",
        ("r",),
        "Refresh",
        "Read everything again; rows stay until their context has been read.",
        _NODES | _DATABASES,
    ),
    Action("contexts", ("c",), "Contexts", _OF_CONTEXTS, _NODES | _TUNNELS, footer=False),
    Action("contexts", ("K",), "Contexts", _OF_CONTEXTS, _DATABASES, footer=False),
    Action("profiles", ("p",), "Profiles", "Choose the profiles that are open, one or several."),
    Action("regions", ("P",), "Regions", "Choose the regions that are open, or all.", footer=False),
    Action(
        "mark",
        ("space",),
        "Mark",
        "Mark the node or take it back; copy, forward and pin take all marked.",
        _NODES,
    ),
    Action("stretch(-1)", ("shift+up",), "Mark up", "Mark from here upwards.", _NODES, footer=False),
    Action("stretch(1)", ("shift+down",), "Mark down", "Mark from here downwards.", _NODES, footer=False),
    Action("mark_all", ("ctrl+a",), "Mark all", "Mark all nodes that are listed.", _NODES, footer=False),
    Action(
        "pin", ("asterisk",), "Pin", "Put the node on top of all others, or back in its place.", _NODES, footer=False
    ),
    Action(
        "sort",
        ("S",),
        "Sort",
        "Sort by a field or tag; the same again turns it round.",
        _NODES,
    ),
    Action("columns", ("C",), "Columns", "Choose the columns and their order.", _NODES, footer=False),
    Action("group_by", ("v",), "Group by", "Group the nodes by the values of a tag.", _NODES, footer=False),
    Action(
        "unmanaged",
        ("a",),
        "All",
        "List also, or hide, nodes that take no sessions yet: unmanaged.",
        _NODES,
        footer=False,
    ),
    Action("groups", ("u",), "Groups", "Bring a group of saved tunnels up, or down again.", _TUNNELS),
    Action("detach", ("b",), "Background", "Leave the tunnel running when ssm-tui is left.", _TUNNELS),
    Action("next_view", ("tab",), "Next view", "Go to the next view.", footer=False, at_once=True),
    Action("previous_view", ("shift+tab",), "Previous view", "Go to the previous view.", footer=False, at_once=True),
    Action("view('nodes')", ("1",), "Nodes", "Go to the nodes.", footer=False, at_once=True),
    Action("view('databases')", ("2",), "Databases", "Go to the databases.", footer=False, at_once=True),
    Action("view('tunnels')", ("3",), "Tunnels", "Go to the tunnels.", footer=False, at_once=True),
    Action(
        "back",
        ("escape",),
        "Back",
        "Take back messages, marks, the filter, notices, one after the other.",
        footer=False,
    ),
    Action("commands", ("ctrl+p",), "Commands", "Find any action, or another theme, by its name."),
    Action("help", ("question_mark",), "Help", "Explain every key and every symbol."),
    Action(
        "leave",
        ("q", "ctrl+c", "ctrl+q"),
        "Quit",
        "Leave; asks what shall become of open tunnels.",
    ),
)


def actions_of(view: View) -> tuple[Action, ...]:
    """What can be done in a view."""
    return tuple(action for action in ACTIONS if view in action.views)


def find(name: str, view: View) -> Action | None:
    """The action of this name, without parameters; that of the view where views have each its own."""
    named = [action for action in ACTIONS if action.name.partition("(")[0] == name]
    return next((action for action in named if view in action.views), named[0] if named else None)
