"""Text that tries to act on a terminal."""

from __future__ import annotations

from hypothesis import strategies as st

# Everything that text can hold, with a bias to what terminals act on.
hostile_text = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("\x1b\r\n\t\x07\x9b\u202e\u2028\U000e0041 "),
        # What joiners belong to, and what they do not.
        st.sampled_from("\u200d\u200c\ufe0f\u0301\U0001f3f4東👩❤\u06cc\u09151a"),
    )
)
