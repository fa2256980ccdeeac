"""The Enrollment API over a data backend of one's choice, and bulk enrollment by customers."""

from coursewire.enrollment.backend import EnrollmentData
from coursewire.enrollment.bulk import BulkEnrollment
from coursewire.enrollment.bulk_request import BulkEntry, BulkResult
from coursewire.enrollment.cache import MISSING, Cache, MemoryCache
from coursewire.enrollment.enrollments import EnrollmentApi

__all__ = [
    "MISSING",
    "BulkEnrollment",
    "BulkEntry",
    "BulkResult",
    "Cache",
    "EnrollmentApi",
    "EnrollmentData",
    "MemoryCache",
]
