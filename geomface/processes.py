"""How processes end: a worker with its parent, and a request to terminate as an interrupt."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator


def end_with_parent() -> None:
    """End this worker process as soon as the one that started it is gone, killed ones included.

    Workers of a killed parent would go on for minutes, hold their memory, and write into a folder
    in which another run may work by then.
    """
    import multiprocessing  # the command line does without it

    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)  # nobody is left to hear of it

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()


@contextlib.contextmanager
def terminate_is_interrupt() -> Iterator[None]:
    """Inside the block a request to terminate (SIGTERM) is what Ctrl-C is: KeyboardInterrupt.

    Outside of the main thread, or where a caller has a handler of its own, nothing changes.
    """
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
