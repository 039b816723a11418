"""The environment variables: an error names the variable, its value unless it is a secret, and what is allowed."""

import pytest

from sentiment_gru.web.settings import SettingError, Settings, reveal


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("PORT", "http", "a number from 1 to 65535"),
        ("PORT", "0", "a number from 1 to 65535"),
        ("PORT", "65536", "a number from 1 to 65535"),
        *(("RATE_FACTOR", value, "a number of at least 0") for value in ("many", "-1", "nan", "inf")),
        ("LOG_MESSAGES", "maybe", "1 or 0"),
        ("FEEDBACK_DATASET", "answers", "owner/name"),
        ("TEACHER_TOKEN", "fifteen letters", "at least 16 characters"),
        ("REPORT_URL", "javascript:alert(1)", "an http, https or mailto address"),
    ],
)
def test_an_error_names_the_variable_the_value_and_what_is_allowed(
    name: str, value: str, allowed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingError) as caught:
        Settings.read()
    assert f"{name} must be " in str(caught.value)
    assert allowed in str(caught.value)
    assert (f"not {value!r}" in str(caught.value)) is (name != "TEACHER_TOKEN")
    assert "\n" not in str(caught.value)


def test_every_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "http")
    monkeypatch.setenv("RATE_FACTOR", "many")
    with pytest.raises(SettingError, match=r"PORT.*; RATE_FACTOR"):
        Settings.read()


def test_a_secret_is_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("DATABASE_URL", "QUIZ_SECRET", "HF_TOKEN", "TEACHER_TOKEN")
    for name in names:
        monkeypatch.setenv(name, f"private-{name}-value")
    settings = Settings.read()
    assert "private" not in repr(settings) + str(settings) + str(settings.model_dump())
    assert [reveal(getattr(settings, name.lower())) for name in names] == [f"private-{name}-value" for name in names]


def test_an_empty_variable_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(name.upper(), "")
    assert Settings.read() == Settings()
    assert Settings.read().port is None
    assert Settings.read().rate_factor == 1
    assert not Settings.read().behind_proxy


def test_values_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PORT": "8123", "RATE_FACTOR": "0.5", "LOG_MESSAGES": "1", "SPACE_ID": "a/b"}.items():
        monkeypatch.setenv(name, value)
    settings = Settings.read()
    assert (settings.port, settings.rate_factor, settings.log_messages) == (8123, 0.5, True)
    assert settings.behind_proxy
