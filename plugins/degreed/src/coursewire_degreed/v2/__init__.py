"""The channel ``DEGREED2``: Degreed by its API v2, a JSON:API.

This is the channel to copy from. A channel is a handful of hooks, each in the module of its subject, and core calls
them in the order in which one course travels:

1. ``plugin.py`` declares the channel, and imports every other hook by name, so that it lists what the channel does.
2. ``config.py`` has the settings of one customer. ``authenticate`` turns them into the authentication of a session;
   core keeps the tokens, and asks for new ones.
3. ``content.py``: ``export_content`` builds the payload of a course from the catalogue. It is pure, so that core can
   tell by the payload alone whether the course has changed since Degreed last confirmed it.
4. ``client.py``: ``send_content`` gets the payloads that need sending, with a session that keeps to the rate, repeats
   what may be repeated and logs what it does. It returns a result for each course, and only an answer that names the
   course makes it an accepted one. ``find_remote`` and ``list_remote`` look up what is at Degreed.
5. ``outcomes.py`` does the same for completions: ``export_completion`` builds the payload, ``send_outcomes`` sends it.

For example, the course ``RiverU+KNOTS`` is planned as a create. ``export_content`` returns
``{"data": {"type": "content/courses", "attributes": {"title": "Knots", "external-id": "RiverU+KNOTS", ...}}}``;
``send_content`` posts it; Degreed answers 201 with the course and its own id ``c1001``; the result is accepted with
``remote_id="c1001"``, and the next change of the course is one PATCH to that id.

``simulator.py`` stands in for Degreed in tests and in ``coursewire simulate``: it refuses what Degreed would refuse.
"""
