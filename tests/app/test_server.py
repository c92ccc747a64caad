"""What `streamlit run app/server.py` adds to Streamlit."""

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import app_session

import app.server  # noqa: F401 - replaces the queue


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
