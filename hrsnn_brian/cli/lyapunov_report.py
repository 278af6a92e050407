"""How a spectrum is told on the terminal."""

from hrsnn_brian.cli.output import Output
from hrsnn_brian.exponents.result import SpectrumResult
from hrsnn_brian.runs.tables import text_table


def say_spectrum(
    result: SpectrumResult, unit: str, output: Output, known: tuple[float, ...] = ()
) -> None:
    """The exponents as a table, what follows from them, and the reasons if there are none."""
    header = ["j", f"lambda_j, {unit}", "standard error"] + ["known"] * bool(known)
    rows: list[list[object]] = []
    for j, (value, error) in enumerate(
        zip(result.exponents.tolist(), result.standard_error.tolist(), strict=True)
    ):
        rows.append([j + 1, value, error, *known[j : j + 1]])
    output.say(text_table(rows, header))
    for flag in result.flags:
        output.say(f"no value: {flag}")
    if not result.valid:
        return
    unknown = f"not determined by {len(rows)} exponents with these errors"
    dimension, entropy = result.kaplan_yorke, result.entropy_rate
    output.say(f"Kaplan-Yorke dimension: {unknown if dimension is None else f'{dimension:.4g}'}")
    bound = unknown if entropy is None else f"{entropy:.4g}"
    output.say(f"entropy rate in nats, {unit}, at most: {bound}")
