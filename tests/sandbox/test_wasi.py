from __future__ import annotations

from collections.abc import Callable

from camera_edge.sandbox import Analyzer, Answer, LogLine, Reason

Start = Callable[..., Analyzer]
Look = Callable[..., Answer | None]

SCORE = '(import "camera_edge" "score" (func $score (param f64) (result i32)))'
SAY = "(func $say (param i64) (drop (call $score (f64.convert_i64_s (local.get 0)))))"


def wasi(*imports: str, body: str, more: str = "") -> str:
    lines = " ".join(f'(import "wasi_snapshot_preview1" {line})' for line in imports)
    return f'{SCORE} {lines} {SAY} {more} (func (export "analyze") (param i32) (result i32) {body} (i32.const 0))'


def values(answer: Answer | None) -> list[float]:
    assert answer is not None
    return [score.value for score in answer.scores]


def test_stderr_and_stdout_go_to_the_log_and_other_descriptors_do_not_exist(analyzer: Start, look: Look) -> None:
    write = "(call $say (i64.extend_i32_s (call $w (i32.const {fd}) (i32.const 0) (i32.const 2) (i32.const 40))))"
    guest = analyzer(
        wasi(
            '"fd_write" (func $w (param i32 i32 i32 i32) (result i32))',
            body="".join(write.format(fd=fd) for fd in (1, 2, 3))
            + "(call $say (i64.load32_u (i32.const 40)))"
            + write.replace("(i32.const 0)", "(i32.const -8)").format(fd=2),
            more=r"""(data (i32.const 0) "\64\00\00\00\03\00\00\00\6e\00\00\00\04\00\00\00")
              (data (i32.const 100) "one") (data (i32.const 110) " two")""",
        )
    )
    answer = look(guest)
    assert values(answer) == [0, 0, 8, 7, 21]
    assert answer is not None
    assert answer.logs == (LogLine(1, "one two"), LogLine(2, "one two"))


def test_a_write_that_is_too_long_is_refused_before_it_is_read(analyzer: Start, look: Look) -> None:
    guest = analyzer(
        wasi(
            '"fd_write" (func $w (param i32 i32 i32 i32) (result i32))',
            body="""(call $say (i64.extend_i32_s (call $w (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 40))))
              (call $say (i64.extend_i32_s (call $w (i32.const 2) (i32.const 0) (i32.const 65) (i32.const 40))))
              (call $say (i64.extend_i32_s (call $w (i32.const 2) (i32.const 0) (i32.const -1) (i32.const 40))))""",
            more=r'(data (i32.const 0) "\00\00\00\00\01\00\01\00")',
        )
    )
    assert values(look(guest)) == [28, 28, 28]


def test_the_clock_is_media_time(analyzer: Start, look: Look) -> None:
    guest = analyzer(
        wasi(
            '"clock_time_get" (func $t (param i32 i64 i32) (result i32))',
            '"clock_res_get" (func $r (param i32 i32) (result i32))',
            body="""(drop (call $t (i32.const 1) (i64.const 1) (i32.const 16))) (call $say (i64.load (i32.const 16)))
              (drop (call $r (i32.const 1) (i32.const 16))) (call $say (i64.load (i32.const 16)))
              (call $say (i64.extend_i32_s (call $t (i32.const 1) (i64.const 1) (i32.const -4))))""",
        )
    )
    assert values(look(guest, media_us=40_000)) == [40_000_000, 1000, 21]


def test_random_numbers_are_the_same_in_every_instance_and_not_twice_in_one(analyzer: Start, look: Look) -> None:
    body = wasi(
        '"random_get" (func $r (param i32 i32) (result i32))',
        body="""(drop (call $r (i32.const 16) (i32.const 6))) (call $say (i64.load (i32.const 16)))
          (drop (call $r (i32.const 16) (i32.const 6))) (call $say (i64.load (i32.const 16)))
          (call $say (i64.extend_i32_s (call $r (i32.const 16) (i32.const -1))))""",
    )
    guest = analyzer(body)
    first, again = values(look(guest)), values(look(analyzer(body)))
    assert first == again
    assert first[0] != first[1] and first[2] == 21
    guest.sleep()
    assert values(look(guest)) == first


def test_there_are_no_arguments_no_environment_and_no_files(analyzer: Start, look: Look) -> None:
    guest = analyzer(
        wasi(
            '"args_sizes_get" (func $a (param i32 i32) (result i32))',
            '"environ_sizes_get" (func $e (param i32 i32) (result i32))',
            '"environ_get" (func $g (param i32 i32) (result i32))',
            '"fd_prestat_get" (func $p (param i32 i32) (result i32))',
            '"sched_yield" (func $y (result i32))',
            body="""(i64.store (i32.const 16) (i64.const -1))
              (call $say (i64.extend_i32_s (call $a (i32.const 16) (i32.const 20))))
              (call $say (i64.load (i32.const 16)))
              (i64.store (i32.const 16) (i64.const -1))
              (call $say (i64.extend_i32_s (call $e (i32.const 16) (i32.const 20))))
              (call $say (i64.load (i32.const 16)))
              (call $say (i64.extend_i32_s (call $g (i32.const 16) (i32.const 20))))
              (call $say (i64.extend_i32_s (call $p (i32.const 3) (i32.const 20))))
              (call $say (i64.extend_i32_s (call $y)))""",
        )
    )
    assert values(look(guest)) == [0, 0, 0, 0, 0, 8, 0]


def test_whatever_else_is_imported_answers_that_it_does_not_exist(analyzer: Start, look: Look) -> None:
    guest = analyzer(
        wasi(
            '"path_open" (func $o (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32))',
            '"sock_accept" (func $s (param i32 i32 i32) (result i32))',
            '"function" (func $f (param f64) (result i32))',
            body="""(call $say (i64.extend_i32_s (call $o (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 0)
                (i32.const 0) (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 0))))
              (call $say (i64.extend_i32_s (call $s (i32.const 3) (i32.const 0) (i32.const 0))))
              (call $say (i64.extend_i32_s (call $f (f64.const 1))))""",
        )
    )
    assert values(look(guest)) == [52, 52, 52]


def test_a_guest_that_exits_is_dropped_with_its_code(analyzer: Start, look: Look) -> None:
    guest = analyzer(
        wasi('"proc_exit" (func $exit (param i32))', body="(call $exit (i32.const 3)) (loop $l (br $l))"),
    )
    assert look(guest) is None
    assert guest.last_fault == "guest: frame 0: it ended itself with code 3"
    assert [(fault.reason, fault.count) for fault in guest.counters.faults] == [(Reason.TRAP, 1)]
    assert guest.counters.fuel > 0


def test_an_exit_that_the_guest_does_not_take_for_an_end_ends_it_all_the_same(analyzer: Start, look: Look) -> None:
    guest = analyzer(
        wasi(
            '"proc_exit" (func $exit (param i32))',
            body="(call $exit (i32.const 0)) (call $say (i64.const 1))",
        ),
    )
    assert look(guest) is None


def test_of_many_lines_in_one_write_no_more_are_taken_than_of_a_second(analyzer: Start, look: Look) -> None:
    guest = analyzer(
        wasi(
            '"fd_write" (func $w (param i32 i32 i32 i32) (result i32))',
            body="""(memory.fill (i32.const 1024) (i32.const 10) (i32.const 65536))
              (i32.store8 (i32.const 1024) (i32.const 97)) (i32.store8 (i32.const 1025) (i32.const 13))
              (call $say (i64.extend_i32_s (call $w (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 40))))
              (call $say (i64.load32_u (i32.const 40)))""",
            more=r'(data (i32.const 0) "\00\04\00\00\00\00\01\00")',
        )
    )
    answer = look(guest)
    assert values(answer) == [0, 65536]
    assert answer is not None and answer.logs == (LogLine(1, "a"), *[LogLine(1, "")] * 63)


def test_an_empty_write_is_no_line(analyzer: Start, look: Look) -> None:
    guest = analyzer(
        wasi(
            '"fd_write" (func $w (param i32 i32 i32 i32) (result i32))',
            body="(call $say (i64.extend_i32_s (call $w (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 40))))",
        )
    )
    answer = look(guest)
    assert answer is not None and (values(answer), answer.logs) == ([0], ())


def test_random_numbers_beyond_a_block_do_not_repeat(analyzer: Start, look: Look) -> None:
    guest = analyzer(
        wasi(
            '"random_get" (func $r (param i32 i32) (result i32))',
            body="""(drop (call $r (i32.const 0) (i32.const 131080)))
              (call $say (i64.load (i32.const 0))) (call $say (i64.load (i32.const 65536)))
              (call $say (i64.load (i32.const 131072)))""",
            more='(memory (export "memory") 3)',
        )
    )
    seen = values(look(guest))
    assert len(set(seen)) == 3 and 0 not in seen
