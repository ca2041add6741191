"""Progress: rich's bars as the seed drives them, or any callable."""


class NgffProgress:
    """Bars of a `rich.progress.Progress`."""

    def __init__(self, rich_progress):
        self.rich = rich_progress

    def add_multiscales_task(self, description, scales):
        self.multiscales_task = self.rich.add_task(description, total=scales)

    def update_multiscales_task_completed(self, completed):
        self.rich.update(self.multiscales_task, completed=completed, refresh=True)

    def add_cache_task(self, description, total):
        self.cache_task = self.rich.add_task(description, total=total)

    def update_cache_task_completed(self, completed):
        self.rich.update(self.cache_task, completed=completed, refresh=True)


def adapt(progress, levels):
    """A callable (phase, level, levels, done, total) for the C half, or None."""
    if progress is None:
        return None
    if not hasattr(progress, "add_multiscales_task") and hasattr(progress, "add_task"):
        progress = NgffProgress(progress)
    if hasattr(progress, "add_multiscales_task"):
        return _Bars(progress, levels)
    if callable(progress):
        return lambda phase, level, count, done, total: progress(done, total)
    raise TypeError(f"progress is neither a callable nor rich's: {type(progress)}")


class _Bars:
    def __init__(self, progress, levels):
        self.progress, self.levels, self.task, self.shown = progress, levels, None, 0
        progress.add_multiscales_task("[green]Writing scales", levels)
        if hasattr(progress, "add_callback_task"):
            progress.add_callback_task("[green]Writing pixels")
            self.task = progress.tasks[progress.next_task]
            progress.next_task = None  # bytes move this bar, not the tasks of a scheduler

    def __call__(self, phase, level, count, done, total):
        completed = self.levels if phase == "publish" else int(self.levels * done / (total or 1))
        if completed != self.shown:
            self.shown = completed
            self.progress.update_multiscales_task_completed(completed)
        if self.task is not None:
            self.progress.rich.update(self.task, total=total, completed=done)

    def finish(self):
        self.progress.update_multiscales_task_completed(self.levels)
        if self.task is not None:
            self.progress.rich.update(self.task, visible=False)
