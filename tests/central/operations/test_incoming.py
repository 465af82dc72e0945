"""When a request is whole: byte by byte, by length and in chunks, and what is not waited for."""

import pytest

from central.operations.incoming import BODY_LIMIT_BYTES, HEAD_LIMIT_BYTES, HeadTooLong, Incoming

WHOLE = {
    "no body": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "by length": b"POST / HTTP/1.1\r\nHost: x\r\ncontent-LENGTH: 4\r\n\r\nabcd",
    "in chunks": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;x=y\r\nabc\r\nA\r\n0\r\n\r\n56789\r\n0\r\n\r\n",
    "with trailers": b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n",
}


@pytest.mark.parametrize("request_", WHOLE.values(), ids=WHOLE.keys())
def test_it_is_whole_with_its_last_byte_and_not_before(request_: bytes) -> None:
    incoming = Incoming()
    for at in range(len(request_)):
        assert not incoming.is_whole(), request_[:at]
        incoming.add(request_[at : at + 1])
    assert incoming.is_whole()
    incoming.add(b"GET / HTTP/1.1\r\n")
    assert incoming.is_whole(), "what follows is the next one's"


@pytest.mark.parametrize(
    "body",
    [b"Transfer-Encoding: chunked\r\n\r\nno number\r\n", b"Transfer-Encoding: chunked\r\n\r\n" + b"1" * 300],
)
def test_what_will_be_refused_is_not_waited_for(body: bytes) -> None:
    incoming = Incoming()
    incoming.add(b"POST / HTTP/1.1\r\n" + body)
    assert incoming.is_whole()


def test_of_a_long_body_no_more_is_kept_than_anything_may_have() -> None:
    incoming = Incoming()
    incoming.add(b"POST / HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n" + b"x" * (BODY_LIMIT_BYTES - 1))
    assert not incoming.is_whole()
    incoming.add(b"x")
    assert incoming.is_whole()


def test_a_head_without_an_end_ends() -> None:
    incoming = Incoming()
    incoming.add(b"x" * HEAD_LIMIT_BYTES)
    assert not incoming.is_whole()
    incoming.add(b"x")
    with pytest.raises(HeadTooLong):
        incoming.is_whole()
