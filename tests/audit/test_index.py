"""How the report's index cuts the images into chunks."""

from collections import Counter
from dataclasses import replace

import pytest
from report_data import make, sources

from auxseg.audit.index import cut_chunks
from auxseg.datasets.manifest import read_manifest, shard_of


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("index")
    make(folder)
    return folder


def test_chunks_are_of_one_split_and_shard(work):
    records = read_manifest(work / "data/manifest") * 20
    for chunk in cut_chunks(records, sources(work)):
        assert len(chunk.records) <= 32
        assert len({(record.split, shard_of(record.id, ("00", "01"))) for record in chunk.records}) == 1


@pytest.mark.parametrize(("width", "height", "most"), [(640, 480, 32), (2000, 1500, 3), (4000, 3000, 1)])
def test_chunks_of_large_images_have_fewer(work, width, height, most):
    """A browser holds several chunks in memory, and labels have the size of the image."""
    records = [replace(record, width=width, height=height) for record in read_manifest(work / "data/manifest") * 20]
    chunks = cut_chunks(records, sources(work))
    assert max(len(chunk.records) for chunk in chunks) == most
    assert Counter(record.id for chunk in chunks for record in chunk.records) == Counter(one.id for one in records)
