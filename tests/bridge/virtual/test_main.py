from pathlib import Path

import pytest

from bridge.virtual.__main__ import main
from tests.support.profiles import write_profile


@pytest.mark.parametrize("address", ["127.0.0.1", ":35963", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:70000", "a:b"])
def test_an_address_that_is_none_ends_with_status_2(
    tmp_path: Path, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(write_profile(tmp_path)), "--vpcd", address])
    assert ended.value.code == 2
    assert "HOST:PORT" in capsys.readouterr().err


def test_a_folder_that_is_no_profile_ends_with_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path), "--vpcd", "127.0.0.1:35963"])
    assert ended.value.code == 2
    assert "neither card.json nor reader.json" in capsys.readouterr().err
