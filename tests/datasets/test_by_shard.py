"""Images shard by shard, with results in the order of the images."""

from auxseg.datasets.by_shard import map_by_shard
from auxseg.datasets.manifest import ImageRecord, shard_of

SHARDS = ("00", "01", "02")


def test_each_shard_is_read_in_one_go_and_the_order_stays(monkeypatch):
    monkeypatch.setattr("auxseg.parallel.available_cpus", lambda: 1)
    records = [ImageRecord(f"i{number:02d}", "", 1, 1, "train", (), "") for number in range(30)]
    seen = []

    def function(record):
        seen.append(shard_of(record.id, SHARDS))
        return record.id

    assert map_by_shard(function, records, SHARDS, "") == [record.id for record in records]
    assert seen == sorted(seen) and set(seen) == set(SHARDS)
