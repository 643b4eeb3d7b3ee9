"""What a moving blob may be: the kinds that the model tells apart, and the figures that are drawn for each.

Invariant: the order of KINDS is the order of the model's output `kinds`, and of `classes` in models/catalogue.toml.
"""

from __future__ import annotations

KINDS = ("person", "group", "cyclist", "rider", "vehicle", "cart", "animal", "other")

# What blobs are on a street or a square, as the model is told to expect: assumed, not counted. It is trained on more of
# what is rare, and would name that too often.
EXPECTED = (0.5, 0.2, 0.08, 0.04, 0.08, 0.04, 0.03, 0.03)

# The embedding is trained to keep these apart as well. `rider` stands on wheels without pedals.
FIGURES: tuple[tuple[str, str], ...] = (
    ("walker", "person"),
    ("walker_with_load", "person"),
    ("walker_with_umbrella", "person"),
    ("runner", "person"),
    ("pair", "group"),
    ("crowd", "group"),
    ("cyclist", "cyclist"),
    ("motorcyclist", "cyclist"),
    ("skateboarder", "rider"),
    ("scooter", "rider"),
    ("roller_skater", "rider"),
    ("car", "vehicle"),
    ("van", "vehicle"),
    ("golf_cart", "vehicle"),
    ("wheelchair", "cart"),
    ("trolley", "cart"),
    ("pram", "cart"),
    ("pushed_bicycle", "cart"),
    ("dog", "animal"),
    ("bird", "animal"),
    ("noise", "other"),
    ("light", "other"),
    ("parcel", "other"),
)

FIGURE_NAMES = tuple(name for name, _ in FIGURES)
KIND_OF_FIGURE = tuple(KINDS.index(kind) for _, kind in FIGURES)
