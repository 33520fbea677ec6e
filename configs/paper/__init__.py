"""The paper's figures and tables, one config each: `get_config(scale, data)`."""
