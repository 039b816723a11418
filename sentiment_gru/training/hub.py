"""Upload a finished checkpoint folder to the Hugging Face Hub."""

from pathlib import Path

from huggingface_hub import HfApi, get_token

from ..errors import OptionsError, StorageError
from .output_folder import OUTPUT_FILES


def check_login() -> None:
    """Refuse, before hours of training, an upload that has no chance.

    Raises:
        OptionsError: there is no token on this machine.
    """
    if get_token() is None:
        raise OptionsError("--push-to-hub needs a login: run `hf auth login`, or set HF_TOKEN")


def push_to_hub(folder: Path, name: str, api: HfApi | None = None) -> str:
    """Upload the files that training wrote, and no others, as one commit.

    Args:
        folder: the checkpoint.
        name: of the model repository, such as user/name; it is created if need be.
        api: a client of another endpoint than the public Hub.

    Returns:
        The address of the commit.

    Raises:
        StorageError: the Hub refused or is out of reach; the folder is complete all the same.
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
