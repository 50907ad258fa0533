"""The order ticket: fields, sizing, receipt."""
