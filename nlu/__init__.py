"""Understanding of customers' messages: the Rasa project, its components, training, serving and measuring.

Runs in its own environment (Python 3.10, rasa 3.6) and imports nothing of the rest of the product.
"""
