"""What networks are put to: the contract (`task`); forecasting and classification keep to it."""

from hrsnn_brian.tasks.classification import ClassificationTask
from hrsnn_brian.tasks.forecast_task import ForecastTask
from hrsnn_brian.tasks.real_series import own_series_task
from hrsnn_brian.tasks.registry import get_task, list_tasks
from hrsnn_brian.tasks.split_series import VptProtocol
from hrsnn_brian.tasks.task import ClosedLoop, Fitted, RunTask, Task, Trial, TrialsTask

__all__ = [
    "ClassificationTask",
    "ClosedLoop",
    "Fitted",
    "ForecastTask",
    "RunTask",
    "Task",
    "Trial",
    "TrialsTask",
    "VptProtocol",
    "get_task",
    "list_tasks",
    "own_series_task",
]
