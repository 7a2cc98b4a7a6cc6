from fixtures.staging import logs, stage

__all__ = ["logs", "stage"]
