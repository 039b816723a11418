"""Upload a finished checkpoint folder to the Hugging Face Hub."""

from pathlib import Path

from huggingface_hub import HfApi, get_token

from ..errors import OptionsError, StorageError
from .output_folder import OUTPUT_FILES


def check_login() -> None:
    """Raise OptionsError if an upload would fail after the training because there is no token."""
    if get_token() is None:
        raise OptionsError("--push-to-hub needs a login: run `hf auth login`, or set HF_TOKEN")


def push_to_hub(folder: Path, name: str, api: HfApi | None = None) -> str:
    """Upload the files that training wrote as one commit.

    Args:
        folder: Checkpoint folder.
        name: Model repository, such as user/name; it is created if needed.
        api: Client of the Hub; by default of the public one.

    Returns:
        URL of the commit.

    Raises:
        StorageError: The Hub refused or cannot be reached; the folder is unchanged.
    """
    api = api or HfApi()
    try:
        repository = api.create_repo(name, exist_ok=True).repo_id
        commit = api.upload_folder(
            folder_path=folder,
            repo_id=repository,
            allow_patterns=sorted(OUTPUT_FILES),
            commit_message="Upload the checkpoint and its card",
        )
    except Exception as error:
        raise StorageError(
            f"{folder} is complete, but was not uploaded to {name}: {error}; try again with `hf upload {name} {folder}`"
        ) from error
    return str(commit.commit_url)
