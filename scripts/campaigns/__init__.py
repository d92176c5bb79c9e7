"""What `scripts/campaign.py` is made of: scales, data, contenders, jobs, tables."""
