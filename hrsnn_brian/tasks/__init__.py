"""What networks are put to: the contract (`task`), and forecasting, its first implementation."""

from hrsnn_brian.tasks.forecast_task import ForecastTask
from hrsnn_brian.tasks.real_series import own_series_task
from hrsnn_brian.tasks.registry import get_task, list_tasks
from hrsnn_brian.tasks.split_series import VptProtocol
from hrsnn_brian.tasks.task import ClosedLoop, Fitted, Task, Trial

__all__ = [
    "ClosedLoop",
    "Fitted",
    "ForecastTask",
    "Task",
    "Trial",
    "VptProtocol",
    "get_task",
    "list_tasks",
    "own_series_task",
]
