"""What Alexa is told of a home: endpoints, and what people can read out of them.

A room for what several commands know about endpoints; nothing in it talks to a network.
"""
