"""Scores as the forecasting tasks give them, for synthetic tables."""

from hrsnn_brian.files.score import HIGHER, LOWER, Score


def error(column: str, value: object, *, unit: str = "1", ahead: int = 1, **more: bool) -> Score:
    """RMSE or NRMSE some steps ahead; lower is better."""
    kind = column.partition("_")[0].upper()
    label = f"{kind} {ahead} step{'s' if ahead > 1 else ''} ahead"
    return Score(column, value, unit, LOWER, label, **more)


def nrmse_84(value: object) -> Score:
    """The score of mackey-glass-84."""
    return error("nrmse_h84", value, ahead=84, primary=True)


def vpt(value: object, column: str = "vpt_lyapunov_times", unit: str = "Lyapunov times") -> Score:
    """Valid prediction time, the primary score of a task with a closed loop."""
    return Score(column, value, unit, HIGHER, "VPT", primary=True)
