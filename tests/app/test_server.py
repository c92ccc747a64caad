"""What `streamlit run app/server.py` adds to Streamlit."""

import itertools
import threading

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import app_session
from streamlit.runtime.scriptrunner import script_runner
from streamlit.runtime.state import SessionState

from app.server import make_headers  # importing it also replaces the queue and the view of the state


def test_the_answer_to_an_upload_survives_the_start_of_a_run():
    queue = app_session.ForwardMsgQueue()  # pyright: ignore[reportPrivateImportUsage] - what its sessions use
    answer, text = ForwardMsg(), ForwardMsg()
    answer.file_urls_response.response_id = "large.png"
    text.delta.new_element.text.body = "from the former run"
    queue.enqueue(text)
    queue.enqueue(answer)
    queue.clear(retain_lifecycle_msgs=True)
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=["a fragment"])
    assert queue.flush() == [answer]
    assert queue.flush() == []


def test_the_end_of_a_run_may_write_while_the_next_one_reads():
    state = SessionState()
    ending, beginning = (script_runner.SafeSessionState(state, lambda: None) for _ in range(2))  # pyright: ignore[reportPrivateImportUsage]
    for number in range(5_000):
        beginning[f"old {number}"] = number  # so that reading takes longer than a thread's turn
    stop = threading.Event()

    def write() -> None:
        for number in itertools.count():
            if stop.is_set():
                return
            ending[f"new {number}"] = number
            if number >= 100:
                del ending[f"new {number - 100}"]

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(30):
            assert len(beginning.filtered_state) >= 5_000
    finally:
        stop.set()
        writer.join()


def test_only_named_pages_may_show_the_app_in_a_frame():
    own, named = make_headers(), make_headers("https://huggingface.co https://example.org")
    assert "frame-ancestors 'self';" in own["Content-Security-Policy"]
    assert own["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self' https://huggingface.co https://example.org;" in named["Content-Security-Policy"]
    assert "X-Frame-Options" not in named, "it cannot name pages"
    assert named["X-Content-Type-Options"] == "nosniff"
