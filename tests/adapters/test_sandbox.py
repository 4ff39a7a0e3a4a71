"""Attempts to get out of a cell, really made, and what the plane does about cells that do not end."""

import concurrent.futures
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from plane import ports
from plane.adapters.renderers import plain
from plane.adapters.sandbox import messages, pool
from plane.domain import apps, errors
from plane.domain.permitting import quotas
from plane.domain.rendering import metering
from tests.adapters import hostile
from tests.support import waiting

CONFIG_MAP = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
LIMITS = messages.Limits(wall_s=60, cpu_s=10, memory_bytes=150 * messages.MIB, output_bytes=messages.MIB, objects=100, processes=32)

Attempt = Callable[..., dict[str, str]]


HURRIED = msgspec.structs.replace(LIMITS, wall_s=3)


def pool_of(limits: messages.Limits) -> pool.Pool:
    shell = hostile.Hostile("shell", str(Path("/bin/bash").resolve()))
    renderers: dict[str, ports.Renderer] = {"plain": plain.Plain(), "alone": hostile.Hostile("alone"), "shell": shell}
    return pool.Pool(renderers, size=2, limits=limits)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[pool.Pool]:
    """With time enough on a busy machine."""
    with pool_of(LIMITS) as made:
        yield made


@pytest.fixture(scope="module")
def hurried() -> Iterator[pool.Pool]:
    """For what never ends by itself."""
    with pool_of(HURRIED) as made:
        yield made


def job(files: dict[str, bytes]) -> ports.RenderJob:
    return ports.RenderJob("p", apps.Source("https://git.example/shop"), files, "shop")


@pytest.fixture
def attempt(sandbox: pool.Pool) -> Attempt:
    """Make attempts in one cell without a program: name → argument; gives name → what was reached."""

    def make(**attempts: str) -> dict[str, str]:
        made = sandbox.render("alone", job({name: text.encode() for name, text in attempts.items()}))
        reached: dict[str, str] = made[0].body["data"]
        return reached

    return make


@pytest.fixture
def shell(sandbox: pool.Pool) -> Callable[[str], dict[str, str]]:
    """Run a script of bash's builtins as a renderer's program."""
    return lambda script: dict(sandbox.render("shell", job({"script": script.encode()}))[0].body["data"])


def test_nothing_is_missing_here(sandbox: pool.Pool) -> None:
    assert sandbox.missing_protections() == ()


@pytest.mark.parametrize("path", ["/etc/passwd", "/proc/self/environ", "/proc/PLANE/environ", __file__, "/dev/zero"])
def test_no_file_can_be_read(attempt: Attempt, path: str) -> None:
    assert attempt(read=path.replace("PLANE", str(os.getpid())))["read"] == "PermissionError"


@pytest.mark.parametrize("folder", ["/", "/tmp", "/dev/shm", "/etc"])
def test_no_folder_can_be_listed_or_written(attempt: Attempt, folder: str) -> None:
    assert set(attempt(list=folder, write=f"{folder}/not-there").values()) == {"PermissionError"}


def test_the_network_is_not_there(attempt: Attempt) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind(f"\0plane-test-{os.getpid()}")
        abstract.listen()
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        reached = attempt(connect=address, datagram="127.0.0.1:53", abstract=f"plane-test-{os.getpid()}")
    assert reached["connect"] in {"PermissionError", "OSError"}
    assert reached["datagram"] == "OSError"
    assert reached["abstract"] in {"PermissionError", "ConnectionRefusedError"}


def test_no_process_can_be_made_or_signalled_and_no_right_regained(attempt: Attempt) -> None:
    reached = attempt(fork="", kill=str(os.getpid()), root="")
    assert (reached["fork"], reached["kill"]) == ("BlockingIOError", "PermissionError")
    assert reached["root"] in {"PermissionError", "OSError"}  # not allowed, or no such user in its namespace


def test_nothing_of_the_plane_is_inherited(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    reached = attempt(environment="", descriptors="")
    assert "DATABASE_URL" not in reached["environment"]
    assert len(reached["descriptors"].split(",")) == 4  # in, out, err, and the channel


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("memory", "rendering used more than 150 MiB of memory and was stopped"),
        ("crash", "the renderer died without an answer"),
        ("depth", "the renderer died without an answer|memory"),
    ],
)
def test_a_cell_that_does_not_end_well_is_ended(attempt: Attempt, sandbox: pool.Pool, name: str, sentence: str) -> None:
    with pytest.raises(errors.RenderFailed, match=sentence):
        attempt(**{name: ""})
    assert sandbox.render("plain", job({"a.yaml": CONFIG_MAP}))[0].key.name == "a"


def test_a_program_sees_its_own_files_and_no_others(shell: Callable[[str], dict[str, str]]) -> None:
    said = shell(
        "read -r x < input; echo $x; echo new > written && read -r y < written && echo $y; read -r z < /etc/passwd; echo *; echo /tmp/*"
    )
    assert said["out"].splitlines() == ["mine", "new", "input written", "/tmp/*"]
    assert "/etc/passwd: Permission denied" in said["err"]


def test_a_program_starts_no_other_and_has_no_network(shell: Callable[[str], dict[str, str]]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        said = shell(f"/bin/cat input; exec 3<>/dev/tcp/127.0.0.1/{listening.getsockname()[1]} && echo connected")
    assert said["out"] == ""
    assert "/bin/cat: Permission denied" in said["err"]


def test_a_program_cannot_follow_a_link_out(shell: Callable[[str], dict[str, str]]) -> None:
    assert shell("read -r x < ../../../etc/passwd; echo $x")["out"].strip() == ""


def test_endless_output_is_cut_off(shell: Callable[[str], dict[str, str]]) -> None:
    with pytest.raises(errors.RenderFailed, match="it renders to more than 1 MiB; split the app"):
        shell("while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done")


def test_endless_complaints_are_thrown_away(shell: Callable[[str], dict[str, str]]) -> None:
    assert len(shell("for ((i = 0; i < 100000; i++)); do echo yyyyyyyyyyyyyyyyyyyyyy >&2; done; echo done")["err"]) <= 64 * 1024 + 1


def test_a_fork_bomb_is_bounded_and_leaves_nothing(hurried: pool.Pool) -> None:
    with pytest.raises(errors.RenderFailed, match=r"longer than 3 s|memory|more than 32 processes"):
        hurried.render("shell", job({"script": b"bomb() { bomb | bomb & }; bomb; while :; do :; done"}))
    _gone(hurried)


def test_a_program_that_hides_a_child_does_not_leave_it_behind(shell: Callable[[str], dict[str, str]], sandbox: pool.Pool) -> None:
    shell("(while :; do :; done) >&- 2>&- <&- & echo done")
    _gone(sandbox)


def _gone(sandbox: pool.Pool) -> None:
    """Nothing below the template is alive, at once or after the kernel has ended it."""
    process = sandbox._template._process  # noqa: SLF001  # the test asks the kernel about it
    assert process
    below = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    waiting.until(lambda: not below.read_text().split() and not _bash_loops(), lambda: f"{below.read_text()} {_bash_loops()}")


def _bash_loops() -> list[str]:
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and (folder / "cmdline").read_bytes().startswith(b"bash\0-c\0") and folder.stat().st_uid >= 61184:
                found.append(folder.name)
        except OSError:
            continue
    return found


@pytest.mark.parametrize(("renderer", "files"), [("alone", {"loop": b""}), ("shell", {"script": b"while :; do :; done"})])
def test_what_does_not_end_is_stopped_in_time(hurried: pool.Pool, renderer: str, files: dict[str, bytes]) -> None:
    with pytest.raises(errors.RenderFailed, match="rendering took longer than 3 s and was stopped"):
        hurried.render(renderer, job(files))


def test_a_program_that_hoards_memory_is_stopped(shell: Callable[[str], dict[str, str]]) -> None:
    with pytest.raises(errors.RenderFailed, match="more than 150 MiB of memory"):
        shell("x=yyyyyyyyyyyyyyyy; while :; do x=$x$x; done")


def test_objects_are_bounded(sandbox: pool.Pool) -> None:
    many = b"".join(b"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a%d}\n" % number for number in range(101))
    with pytest.raises(errors.RenderFailed, match="101 objects are more than the 100 one source may have"):
        sandbox.render("plain", job({"a.yaml": many}))


def test_output_of_manifests_is_bounded(sandbox: pool.Pool) -> None:
    with pytest.raises(errors.RenderFailed, match="more than 1 MiB"):
        sandbox.render("plain", job({"a.yaml": CONFIG_MAP + b"data: {x: %s}\n" % (b"y" * 2 * messages.MIB)}))


def test_a_broken_file_is_named_with_its_line(sandbox: pool.Pool) -> None:
    with pytest.raises(errors.RenderFailed) as caught:
        sandbox.render("plain", job({"web/a.yaml": b"apiVersion: v1\nkind: ConfigMap\nkind: Secret\n"}))
    assert caught.value.where == "web/a.yaml:3"
    assert str(caught.value).startswith("web/a.yaml:3: ")


def test_many_threads_share_the_slots(sandbox: pool.Pool) -> None:
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        done = list(threads.map(lambda number: sandbox.render("plain", job({f"{number}.yaml": CONFIG_MAP}))[0].position, range(64)))
    assert [str(position) for position in done] == [f"{number}.yaml:1" for number in range(64)]


def test_a_dead_template_is_replaced_and_its_cells_end_with_it(sandbox: pool.Pool) -> None:
    sandbox.render("plain", job({"a.yaml": CONFIG_MAP}))
    process = sandbox._template._process  # noqa: SLF001  # somebody else's kill -9
    assert process
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        running = threads.submit(sandbox.render, "alone", job({"loop": b""}))
        below = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while not below.read_text():
            os.sched_yield()
        process.send_signal(signal.SIGKILL)
        process.wait()
        with pytest.raises((errors.RenderFailed, errors.BackendDown)):
            running.result()
    assert sandbox.render("plain", job({"a.yaml": CONFIG_MAP}))[0].key.name == "a"


def test_no_folder_is_left_behind(shell: Callable[[str], dict[str, str]]) -> None:
    shell("echo x > left")
    assert not [
        path for path in Path("/dev/shm").glob("plane-render-*") if path.stat().st_uid == 61184 and (path / "repo" / "left").exists()
    ]


def test_a_render_says_what_it_and_its_program_took(sandbox: pool.Pool) -> None:
    meter = metering.Meter()
    sandbox.render("plain", job({"a.yaml": CONFIG_MAP}), meter)
    sandbox.render("shell", job({"script": b"for i in {1..200000}; do :; done"}), meter)
    light, heavy = meter.spent
    assert 0 < light.cpu_s < heavy.cpu_s
    assert min(light.peak_bytes, heavy.peak_bytes) > messages.MIB


def test_what_was_stopped_is_paid_for_with_its_program(hurried: pool.Pool) -> None:
    meter = metering.Meter()
    with pytest.raises(errors.RenderFailed, match="took longer than 3 s"):
        hurried.render("shell", job({"script": b"while :; do :; done"}), meter)
    [spent] = meter.spent
    assert spent.cpu_s > 0.05  # on a busy machine; the cell alone takes a part of that


def test_a_tenants_bound_of_memory_holds_below_the_pools(sandbox: pool.Pool) -> None:
    script = b"x=; for i in {1..20}; do x=$x$x$(printf 'y%.0s' {1..1000}); done; while :; do :; done"
    with pytest.raises(quotas.RenderTooLarge, match="used more than 64 MiB of memory, the tenant's quota for one render, and was stopped;"):
        sandbox.render("shell", job({"script": script}), metering.Meter(memory_bytes=64 * messages.MIB))


def test_a_cell_holds_nothing_of_another(sandbox: pool.Pool) -> None:
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        beside = threads.submit(sandbox.render, "shell", job({"script": b"for i in {1..300000}; do :; done"}))
        made = sandbox.render("alone", job({"descriptors": b""}))
        beside.result()
    assert len(made[0].body["data"]["descriptors"].split(",")) == 4  # in, out, err, and the channel


def test_a_render_shares_processors_within_the_planes_session(attempt: Attempt) -> None:
    """In one of its own Linux would weigh it against whole sessions, however patient it is."""
    assert attempt(session="") == {"session": str(os.getsid(0))}


def test_a_patient_render_leaves_the_processor_to_others(sandbox: pool.Pool) -> None:
    ordinary = job({"nice": b""})
    both = (ordinary, msgspec.structs.replace(ordinary, patient=True))
    ranks = [int(sandbox.render("alone", one)[0].body["data"]["nice"]) for one in both]
    assert ranks[1] == min(19, ranks[0] + 10)
