"""An "existing" lending system (貸出管理): a counter page with one field, and a barcode reader at a serial port."""
