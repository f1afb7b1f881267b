"""Keys + policy -> what the charts show and say: counts, claims, alternative texts. No drawing, no matplotlib."""
