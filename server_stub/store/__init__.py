"""SQLite: history, filters, pages, trends and figures are SQL. One writer; readers on connections of their own."""
