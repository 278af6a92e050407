"""Forecasting tasks: chaotic systems, shipped real series, the user's own series."""

from hrsnn_brian.tasks.registry import get_task, list_tasks, own_series_task
from hrsnn_brian.tasks.split_series import Task, VptProtocol

__all__ = ["Task", "VptProtocol", "get_task", "list_tasks", "own_series_task"]
