"""The one place that decides where documents are kept."""

from __future__ import annotations

from activities.documents.store import DocumentStore, FolderStore
from workers.settings import Settings


def document_store(settings: Settings) -> DocumentStore:
    """The store these settings name: a folder, or a bucket in S3."""
    if settings.documents_bucket is None:
        return FolderStore(settings.documents_folder)
    from activities.documents.s3_store import S3Store  # its library takes half a second to load

    return S3Store.at(settings.documents_bucket)
