import pytest
from talk import Book, Talk, open_talk, write_book


@pytest.fixture(scope="session")
def own_book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    return write_book(tmp_path_factory.mktemp("replies"))


@pytest.fixture
def talk(own_book: Book) -> Talk:
    return open_talk(own_book)
