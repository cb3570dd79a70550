"""What holds for every kind of batch: killed, resumed, refused, looked at, opened again."""

from pathlib import Path

import job_cases
import job_kit
import pytest
from job_kit import Make

from geomface.batch.folder import find_kind, read_status
from geomface.batch.plan import plan_job
from geomface.batch.run import run_job
from geomface.errors import FileFormatError, OutputError
from geomface.pipeline import jobs

KINDS = (*jobs.KINDS, job_cases.TOY)
CASES = (job_cases.toy, job_cases.scans, job_cases.pictures, job_cases.textures)


@pytest.fixture(scope="module", params=CASES, ids=lambda make: make.__name__)
def make(request: pytest.FixtureRequest) -> Make:
    return request.param


@pytest.fixture(scope="module")
def whole(make: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that one run made; the scans of its job lie beside it."""
    out = tmp_path_factory.mktemp(make.__name__) / "whole"
    report = run_job(make(out))
    assert report.exit_code == 0 and report.did == report.made == report.done
    assert report.message == (
        f"{report.done} {make(out).kind.noun}: {report.done} done, 0 failed, {report.did} of them "
        "in this run"
    )
    return out


def test_killed_at_every_item(make: Make, whole: Path) -> None:
    job_kit.check_killed_at_every_item(make, whole.with_name("killed"), job_kit.tree(whole))


def test_two_workers_make_the_same_bytes(make: Make, whole: Path) -> None:
    if make is job_cases.pictures:
        return  # real ones of the photo preset are compared in test_face_pictures
    out = whole.with_name("workers")
    job_kit.check_same_bytes_for_two_workers(make, out, job_kit.tree(whole))


def test_what_is_done_is_not_done_again(make: Make, whole: Path) -> None:
    job_kit.check_done_is_not_done_again(make, whole)


def test_status_and_verify(make: Make, whole: Path) -> None:
    job_kit.check_status_and_verify(whole, KINDS, run_job(make(whole)))


def test_the_folder_opens_as_the_same_job(make: Make, whole: Path) -> None:
    if make is not job_cases.toy:
        job_kit.check_the_folder_opens_as_the_same_job(make, whole, jobs.KINDS)


@pytest.mark.parametrize(
    ("make", "change", "words"),
    [
        (job_cases.toy, {"loud": True}, ["loud was False, now True"]),
        (job_cases.pictures, {"seed": 7}, ["seed was 6, now 7"]),
        (job_cases.pictures, {"shards": True}, ["shards was False, now True", "synthetic faces"]),
        (job_cases.textures, {"seed": 1}, ["seed was 0, now 1", "a set of textures"]),
    ],
)
def test_sets_refuse_other_settings_by_name(
    make: Make, change: dict, words: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "set"
    run_job(make(out))
    job_kit.check_other_settings_are_refused(make, out, change, words)


def test_a_failed_item_is_left_alone_until_retry(tmp_path: Path) -> None:
    words = ("one", "bad", "three")
    report = run_job(job_cases.toy(tmp_path / "set", words=words))
    assert (report.done, report.failed, report.made, report.exit_code) == (2, 1, 2, 3)
    assert report.reasons == ("1: 1: bad word.",)
    status = read_status(tmp_path / "set", KINDS)
    assert [record.message for record in status.failed] == ["1: bad word."]
    again = job_cases.toy(tmp_path / "set", words=words)
    assert plan_job(again).sentence() == (
        "nothing to do: 2 done, 1 failed before ('geomface pipeline retry' does them again)"
    )
    retried = run_job(job_cases.toy(tmp_path / "set", words=words, retry_failed=True))
    assert retried.did == 1 and retried.records[1].attempt == 2


def test_a_larger_set_adds_and_a_smaller_one_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "set"
    run_job(job_cases.toy(out))
    report = run_job(job_cases.toy(out, words=("one", "two", "three", "four")))
    assert (report.did, report.done) == (1, 4)
    with pytest.raises(OutputError, match="a set of 4 words, more than the 3"):
        run_job(job_cases.toy(out))


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_only_folders_of_its_own_are_written_to(make: Make, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    job = make(out)
    for name, text in (("notes.txt", "mine"), ("run.json", '{"system": "line"}')):
        (out / name).write_text(text)
        with pytest.raises(OutputError, match=f"'{job.kind.command}' wrote, but it holds {name}"):
            run_job(job)
        assert [path.name for path in out.iterdir()] == [name]
        (out / name).unlink()
    (out / job.kind.place).mkdir()  # a run that was killed before it wrote its settings
    (out / f".{Path(job.kind.file).stem}.deadbeef.part.json").touch()
    assert len(plan_job(job).todo) == len(job.items)


def test_folders_of_other_things_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="expected the folder of a pipeline run or a set of"):
        find_kind(tmp_path, jobs.KINDS)
    (tmp_path / "run.json").write_text('{"system": "progressive_texture"}')
    with pytest.raises(FileFormatError, match=r"found run\.json of something else"):
        find_kind(tmp_path, jobs.KINDS)
