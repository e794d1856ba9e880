from tracking.domain.portions import in_portions


def test_consecutive_items_come_together_until_they_are_enough() -> None:
    items = [b"a" * 40, b"b" * 40, b"c" * 100, b"d"]

    assert list(in_portions(items, 80)) == [items[:2], items[2:3], items[3:]]
    assert list(in_portions([], 80)) == []


def test_what_an_item_counts_for_may_be_said() -> None:
    assert list(in_portions([3, 1, 1, 2], 3, size_of=int)) == [[3], [1, 1, 2]]
