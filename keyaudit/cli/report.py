import click


@click.command()
def demo(): ...
@click.command()
def report(): ...
