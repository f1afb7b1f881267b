"""What a capture wrote, read strictly (pure): what no capture of the account could hold proves nothing about it.

``documents``  those beside the report, one row each;  ``layout``: what the other files are called
``strict``     what is not exactly as it was written is a ValueError
``inventory``  ``inventory.json`` -> Inventory
``rotations``  ``rotation.json`` -> RotatedSecrets;  ``function``: its settings, and the lines that it logged
"""
