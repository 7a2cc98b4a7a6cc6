"""The pages on which a visitor plays a customer: a list of people, their chats, and the phone that gets their SMS."""
