"""The Python of what is shown, with the package y90."""

from warehouse.exploring.selection import UNITS, Selection, place

STEPS = """
for level in dict.fromkeys(row["factor_level"] for row in counts):
    own = [row for row in counts if row["factor_level"] == level]
    at_risk, share = sum(row["events"] + row["censored"] for row in own), 1.0
    for row in own:
        share *= 1 - row["events"] / at_risk
        at_risk -= row["events"] + row["censored"]
        print(level, row["days"] / 30.4375, share)
"""


def program(selection: Selection, queries: tuple[str, ...], release_id: str, store: str) -> str:
    """A program that prints what is shown.

    Args:
        selection: what is looked at.
        queries: the SQL that was run.
        release_id: of which release.
        store: the store's folder.
    """
    head = f"import y90\n\nrelease = y90.open({release_id!r}, store={store!r})\n"
    where = place(selection)
    if where is None:
        counted = f'counts = release.sql("""\n{queries[0]}\n""").to_pylist()\n'
        steps = STEPS if selection.question == "survival" else "print(counts)\n"
        return f"{head}{counted}{steps}"
    if selection.question == "survival":
        asked = f"{selection.endpoint!r}, by={where.factor!r}, population={where.population!r}"
        told = f"curves = release.km({asked}, level={selection.level!r})\n"
        only = f"    if curve.name == {where.level!r}:\n    " if where.level else ""
        return f"{head}{told}for curve in curves.curves:\n{only}    print(curve.name, curve.text)\n"
    key = {"population": where.population}
    if selection.question == "incidence":
        key |= {"endpoint": selection.competing}
        name = "cumulative_incidence"
    elif selection.question == "response":
        level, organ, lesions = UNITS[selection.unit]
        key |= {"criterion": selection.criterion, "level": level, "organ": organ}
        key |= {"lesions": lesions, "confirmation": selection.confirmation}
        name = "response_summary"
    else:
        key |= {"ctcae_version": selection.version, "time_window": selection.window}
        name = "toxicity_summary"
    parts = ", ".join(f"{column}={code!r}" for column, code in key.items())
    return f"{head}print(release.table({name!r}, {parts}).to_pylist())\n"
