"""What is kept between runs, in small files of the user's state folder. Never fatal, never slow, never a secret."""
