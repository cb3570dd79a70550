"""Reports: pictures, charts and a viewer in one HTML file that needs no network."""

from geomface.report.build import ReportResult, write_report

__all__ = ["ReportResult", "write_report"]
