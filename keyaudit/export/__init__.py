"""An Audit as files, one module for each format. The list of formats imports nothing heavy.

``tabular``      findings.csv and other tables as CSV, none of whose cells a spreadsheet runs
``summary``      summary.json
``formats``      what ``keyaudit export`` makes of evidence that verified: the only list of these formats
``workbook``     what the sheets of a workbook hold (pure); ``xlsx`` writes them, with the library of the extra xlsx
``sample_table`` the table of a sample that is filled in; ``filled`` reads it, XLSX with the library of that extra
``pdf``          the page as a PDF that carries data and seal; ``pdf_read`` takes them out again, within limits
``enclosed``     which files those are, and the whole folder as one file
``owner_lists``  for each owner, what to do with which key: a list, and a mail that is ready to send
"""
