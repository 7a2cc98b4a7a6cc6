"""Messenger as the product sees it: Send API, webhooks, conversation routing, profile, utility templates.

Faithful to messenger.md; where that says [unsure], the choice is named in the code and can be switched by the
control API.
"""
