"""The serve process: the only room that runs Faust. Agents of a few lines around the chain, a
follower of catalogue and models, a watchdog. It never imports training.
"""
