"""Zalo as the product sees it: OAuth v4, the Official Account API, template messages by phone, webhooks.

Faithful to zalo.md; where that says [unsure], the choice is named in the code and can be switched by the control API.
"""
