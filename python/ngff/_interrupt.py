"""Long calls of the C half that Ctrl-C ends."""

import threading


def run(call, cancel, stop=None):
    """`call()`, in a way that Ctrl-C ends: the main thread waits in Python while another one makes the
    call, which looks at `cancel` (a bytearray) before every block. `stop` is called when that is set."""
    if threading.current_thread() is not threading.main_thread():
        return call()
    box, began, done = [], threading.Event(), threading.Event()

    def work():
        began.set()
        try:
            box.append((call(), None))
        except BaseException as error:
            box.append((None, error))
        finally:
            done.set()

    # An event, not join: an interrupted join takes the thread for ended (CPython 3.11). The signal may
    # come anywhere here, also while the thread starts: what runs is always waited for.
    thread, interrupt = threading.Thread(target=work, name="ngff-write"), None
    while not done.is_set():
        try:
            if not thread.ident and interrupt is None:
                thread.start()
            while not done.wait(0.05):
                pass
        except BaseException as error:
            cancel[0], interrupt = 1, interrupt or error
            if stop is not None:
                stop()
            if not began.wait(1):  # it came before the thread did
                break
    if interrupt is not None:
        raise interrupt
    result, error = box[0]
    if error is not None:
        raise error
    return result
