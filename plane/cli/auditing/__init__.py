"""`plane audit` and `plane at`: the record, read, checked and taken out."""
