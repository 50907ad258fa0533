"""A running venue: facade, session, loop, ingress, pacer, clock speed, market set-up."""
