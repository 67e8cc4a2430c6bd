"""One program on one terminal.

`terminal.py` joins the parts: `driver.py` and its kin carry bytes, `cleaning.py`, `echo.py` and `stream.py` make text
of them, `screen/` draws them, `checks/` look at both, `recording.py` and `cast.py` keep them, `render/` makes pictures.
"""
