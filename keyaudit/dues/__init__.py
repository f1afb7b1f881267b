"""When evidence is due, and which evidence counts for which period (pure).

``calendar``  how often evidence is due, as --every takes it
``cadences``  how often it was due, by what is sealed in the evidence
``counting``  which evidence counts for the period in which its run began
``chain``     whether each folder follows the one before it
``each``      the periods one after the other, with their states
"""
