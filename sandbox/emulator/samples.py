"""Files that customers send when a test or the chat page names none: a picture of a meter, a short voice note."""

import io
import math
import struct
import wave
from collections.abc import Callable
from functools import cache
from typing import Literal

from PIL import Image, ImageDraw

VOICE_SECONDS = 2
VOICE_RATE = 8000


@cache
def meter_picture() -> bytes:
    """A JPEG that looks roughly like an electricity meter."""
    image = Image.new("RGB", (640, 480), "#8fa3ad")
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((170, 50, 470, 430), 24, fill="#f4f1e6", outline="#5b6770", width=6)
    draw.rectangle((215, 130, 425, 205), fill="#15181a")
    for place, digit in enumerate("012847"):
        left = 222 + place * 33
        draw.rectangle((left, 138, left + 28, 197), fill="#2c3236" if place < 5 else "#8e1f1f")
        draw.text((left + 8, 148), digit, fill="#ffffff", font_size=36)
    draw.ellipse((280, 250, 360, 330), outline="#5b6770", width=5)
    draw.line((320, 290, 350, 268), fill="#8e1f1f", width=5)
    draw.text((280, 90), "kWh", fill="#5b6770", font_size=28)
    return _encoded(image, "JPEG")


@cache
def moving_picture() -> bytes:
    """A GIF of two frames."""
    frames = [Image.new("RGB", (120, 120), colour) for colour in ("#0068ff", "#ffb300")]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=400, loop=0)
    return out.getvalue()


@cache
def voice_note() -> bytes:
    """Two seconds of a soft tone as WAV."""
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(VOICE_RATE)
        for n in range(VOICE_SECONDS * VOICE_RATE):
            sound.writeframesraw(struct.pack("<h", int(6000 * math.sin(2 * math.pi * 220 * n / VOICE_RATE))))
    return out.getvalue()


def _encoded(image: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, quality=85)
    return out.getvalue()


FileKind = Literal["image", "gif", "audio", "video", "file"]

SAMPLES: dict[FileKind, tuple[Callable[[], bytes], str, str]] = {
    "image": (meter_picture, "image/jpeg", "cong-to.jpg"),
    "gif": (moving_picture, "image/gif", "anh-dong.gif"),
    "audio": (voice_note, "audio/wav", "ghi-am.wav"),
    "video": (moving_picture, "video/mp4", "phim.mp4"),
    "file": (lambda: b"%PDF-1.4\n%%EOF\n", "application/pdf", "don-de-nghi.pdf"),
}
"""Kind → (how to make the content, content type, name)."""
