"""What a client of the topics needs: questions in, answers out, without running a service."""
